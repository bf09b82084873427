import os


def answer(name):
    return {"function": name, "stage": os.environ["STAGE"]}
