"""GET /openapi.json as a thing to hold the daemons to: schemas, operations, answers."""
import functools
import json
import re

from jsonschema import Draft202012Validator, FormatChecker


def parse(text):
    """JSON in which no name comes twice."""
    def once(pairs):
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), f"twice: {sorted(names)}"
        return dict(pairs)
    return json.loads(text, object_pairs_hook=once)


def walk(value, path="#"):
    """All objects inside, each with the way to it."""
    if isinstance(value, dict):
        yield path, value
        for name, one in value.items():
            yield from walk(one, f"{path}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from walk(one, f"{path}/{n}")


class Operation:
    def __init__(self, document, path, method, value):
        self.document, self.path, self.method = document, path, method.upper()
        self.value = value
        self.id = value["operationId"]
        self.parameters = value.get("parameters", [])
        self.is_ingestion = "servers" in value and all(
            one["description"] == "ingestion" for one in value["servers"])

    def __repr__(self):
        return f"<{self.method} {self.path}>"

    @property
    def statuses(self):
        return {int(status) for status in self.value["responses"] if status != "default"}

    def check(self, answer):
        """Fails unless the answer is one that the document has for this operation."""
        responses = self.value["responses"]
        response = self.document.resolve(responses.get(str(answer.status), responses["default"]))
        content = response.get("content")
        sent = answer.header("Content-Type")
        for name in response.get("headers", {}):
            assert answer.header(name), (self, answer)
        if not content:
            assert sent is None and answer.body == b"", (self, answer)
            return answer
        kind = sent.split(";")[0]
        assert kind in content, (self, answer)
        if kind == "application/json":
            self.document.validate(content[kind]["schema"], parse(answer.body), self)
        return answer


class Document:
    def __init__(self, text):
        self.value = parse(text)
        self.operations = {
            one.id: one for path, methods in self.value["paths"].items()
            for method, value in methods.items() if method != "parameters"
            for one in [Operation(self, path, method, value)]}
        self.validator = functools.lru_cache(maxsize=None)(self._validator)

    def resolve(self, value):
        while "$ref" in value:
            at = self.value
            for name in value["$ref"].removeprefix("#/").split("/"):
                at = at[name.replace("~1", "/").replace("~0", "~")]
            value = at
        return value

    def _validator(self, schema):
        return Draft202012Validator(
            {**json.loads(schema), "components": self.value["components"]},
            format_checker=FormatChecker())

    def is_valid(self, schema, value):
        return self.validator(json.dumps(schema)).is_valid(value)

    def validate(self, schema, value, what=""):
        wrong = next(self.validator(json.dumps(schema)).iter_errors(value), None)
        assert wrong is None, f"{what}: {wrong}"

    def schema(self, name):
        return {"$ref": f"#/components/schemas/{name}"}

    def fields(self, name):
        """The schemas of an event's fields."""
        return self.resolve(self.schema(name))["allOf"][0]["properties"]

    def schemas(self):
        """All schemas that stand in the document, with their places."""
        for path, value in walk(self.value):
            if re.fullmatch(r"#/components/schemas/[^/]+", path) or path.endswith("/schema"):
                yield path, value
