from shared.answer import answer


def handler(event, context):
    return answer("invoices")
