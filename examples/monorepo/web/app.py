import os


def handler(event, context):
    return {"statusCode": 200, "body": f"the shop, {os.environ['STAGE']}"}
