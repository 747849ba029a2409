"""Where functions are declared: templates, configurations and Dockerfiles, as declarations.

`deployment` reads them all. Reading from the disk is done by discovery, which only asks `names`.
"""
