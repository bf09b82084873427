from app import handler


def test_greeting():
    assert handler({}, None)
