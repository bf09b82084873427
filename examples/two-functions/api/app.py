import os


def handler(event, context):
    return {"version": os.environ["VERSION"], "level": os.environ["LOG_LEVEL"]}
