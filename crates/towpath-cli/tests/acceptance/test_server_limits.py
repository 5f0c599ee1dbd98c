"""Every limit of AWS's model, by its neighbours on both sides, at every depth of every request."""

import re

from botocore.exceptions import ClientError

from test_server import server  # noqa: F401

# Texts that some pattern of the model asks for.
TEXTS = (
    "1", "a", "eventCategory", "s3.amazonaws.com", "s3://bucket/prefix", "00:00", "123456789012",
    "arn:aws:iam::123456789012:role/import", "us-east-1", "AWS.Insights",
)
# Texts that no pattern but a lenient one lets through.
WRONG = ("\u00e9 \u00e9", "!?!?", "\n \n", "////", "A B")
LENGTH_MAX = 20_000


def matches(shape, text):
    pattern = shape.metadata.get("pattern")
    return not pattern or re.fullmatch(pattern, text, re.S if pattern == ".*" else 0) is not None


def is_within(shape, text):
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", LENGTH_MAX)
    return low <= len(text) <= high


def text_of(shape, length):
    """A text of this length that the pattern lets through, or None."""
    for start in TEXTS:
        for more in ("1", "a"):
            text = (start + more * length)[:length]
            if matches(shape, text):
                return text
    return None


def valid(shape):
    """Any value that the model allows, with all members that are required."""
    if shape.type_name == "structure":
        return {name: valid(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [valid(shape.member)] * max(1, shape.metadata.get("min", 1))
    if shape.type_name == "map":
        return {valid(shape.key): valid(shape.value)}
    if shape.type_name == "string":
        if shape.enum:
            return shape.enum[0]
        low = max(1, shape.metadata.get("min", 1))
        for text in (*TEXTS, text_of(shape, low)):
            if text and matches(shape, text) and is_within(shape, text):
                return text
        raise AssertionError(f"no text for {shape.name} {shape.metadata}")
    return {"integer": 1, "long": 1, "boolean": True}.get(shape.type_name, 1_700_000_000)


def neighbours(shape):
    """Pairs of a value just outside of a limit and one just inside; None where there is no such."""
    limits = shape.metadata
    if shape.type_name == "string" and shape.enum:
        yield "NoSuchValue", shape.enum[-1]
    elif shape.type_name == "string":
        if limits.get("max", LENGTH_MAX) < LENGTH_MAX:
            outside = text_of(shape, limits["max"] + 1) or "1" * (limits["max"] + 1)
            yield outside, text_of(shape, limits["max"])
        if limits.get("min", 0) > 0:
            outside = text_of(shape, limits["min"] - 1)
            yield ("1" * (limits["min"] - 1) if outside is None else outside), text_of(shape, limits["min"])
        if "pattern" in limits:
            low = max(1, limits.get("min", 1))
            wrong = [(text * low)[: max(low, len(text))] for text in WRONG]
            outside = next((t for t in wrong if not matches(shape, t) and is_within(shape, t)), None)
            if outside is not None:
                yield outside, valid(shape)
    elif shape.type_name in ("integer", "long"):
        if "max" in limits:
            yield limits["max"] + 1, limits["max"]
        if "min" in limits:
            yield limits["min"] - 1, limits["min"]
    elif shape.type_name == "list":
        one = valid(shape.member)
        if "max" in limits:
            yield [one] * (limits["max"] + 1), [one] * limits["max"]
        if limits.get("min", 0) > 0:
            yield [one] * (limits["min"] - 1), [one] * limits["min"]
        for outside, inside in neighbours(shape.member):
            yield [outside], None if inside is None else [inside]
    elif shape.type_name == "map":
        for outside, inside in neighbours(shape.key):
            yield {outside: valid(shape.value)}, None if inside is None else {inside: valid(shape.value)}
        for outside, inside in neighbours(shape.value):
            yield {valid(shape.key): outside}, None if inside is None else {valid(shape.key): inside}
    elif shape.type_name == "structure":
        rest = valid(shape)
        for name, member in shape.members.items():
            for outside, inside in neighbours(member):
                yield rest | {name: outside}, None if inside is None else rest | {name: inside}
        for name in shape.required_members:
            yield {key: value for key, value in rest.items() if key != name}, rest


def test_every_limit_of_the_model_holds_on_both_sides(server):
    client = server.client()
    model = client.meta.service_model

    def is_refused_by_the_model(operation, parameters):
        try:
            client._make_api_call(operation, parameters)
        except ClientError as raised:
            assert raised.response["ResponseMetadata"]["HTTPStatusCode"] == 400, (operation, raised)
            assert raised.response["Error"]["Code"] != "SerializationException", (operation, raised)
            return "failed to satisfy constraint" in raised.response["Error"]["Message"]
        return False

    outsides = insides = 0
    for operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        for outside, inside in neighbours(shape) if shape else ():
            assert is_refused_by_the_model(operation, outside), (operation, outside)
            outsides += 1
            if inside is not None:
                assert not is_refused_by_the_model(operation, inside), (operation, inside)
                insides += 1
    print(f"{outsides} values outside, {insides} inside")
    assert outsides > 400 and insides > 300, (outsides, insides)
