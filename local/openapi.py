"""swagger.yaml as clients read it: OpenAPI, without what is for CloudFormation and API Gateway alone."""

from typing import Any

Yaml = dict[str, Any]

_EXTENSIONS = "x-amazon-apigateway-"


def document(swagger: Yaml, root: str | None = None) -> Yaml:
    """Returns the document, its server at ``root``.

    What a parameter of the stack decides is left open: a key for POST /file may be needed, or not.
    """
    stripped: Yaml = _stripped(swagger)
    stripped["paths"] = {
        path: {method: operation for method, operation in item.items() if method != "options"}
        for path, item in stripped["paths"].items()
    }
    return {**stripped, "servers": [{"url": root}]} if root else stripped


def _stripped(node: Any) -> Any:
    match node:
        case {"Fn::If": [_, list() as public, list() as closed]}:
            # No requirement at all is one way to meet them.
            return [each or {} for each in (*(public or [{}]), *closed)]
        case dict():
            return {key: _stripped(value) for key, value in node.items() if not str(key).startswith(_EXTENSIONS)}
        case list():
            return [_stripped(member) for member in node]
    return node
