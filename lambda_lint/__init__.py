"""lambda-lint: finds state and reuse mistakes in Python code for AWS Lambda."""

__version__ = "0.1.0"
