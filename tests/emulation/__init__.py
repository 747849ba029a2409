"""Examples run as AWS Lambda runs them: cold and warm, under AWS's own runtime client.

`demonstration` says what came of it, `environment` is one execution environment, `zygote` is what
runs in its process, `services` answers for AWS.
"""
