"""Described services as the text of Python modules."""

import keyword
import textwrap
from typing import Iterable, List, Sequence

from describe import Method, Parameter, Returned, Rpc, ServiceClass
from words import comment, docstring, header, sentence, wrapped

from viam_sync.checks import id_kind

MODULE = '''\
{header}
"""{service.name}: the RPCs of ``{service.full_name}``, each a plain call."""

from __future__ import annotations

{imports}


class {service.name}(Service):
    """{doc}"""

    _service = "{service.full_name}"

{methods}
'''

UNARY = '''\
    def {method.name}({parameters}) -> {annotation}:
        """{doc}"""
{request}{why}
        response: {method.response} = self._unary_unary(methods.{method.rpc.constant}, request, timeout)
        return {result}
'''

UNARY_WITHOUT_RESULT = '''\
    def {method.name}({parameters}) -> None:
        """{doc}"""
{request}{why}
        self._unary_unary(methods.{method.rpc.constant}, request, timeout)
'''

SERVER_STREAM = '''\
    def {method.name}({parameters}) -> Stream[{method.response}]:
        """{doc}"""
{request}{why}
        return self._unary_stream(methods.{method.rpc.constant}, request, timeout)
'''

CLIENT_STREAM = '''\
    def {method.name}({parameters}) -> {annotation}:
        """{doc}"""{why}
        response: {method.response} = self._stream_unary(methods.{method.rpc.constant}, requests, timeout)
        return {result}
'''

CLIENT_STREAM_WITHOUT_RESULT = '''\
    def {method.name}({parameters}) -> None:
        """{doc}"""{why}
        self._stream_unary(methods.{method.rpc.constant}, requests, timeout)
'''

BIDIRECTIONAL = '''\
    def {method.name}({parameters}) -> Stream[{method.response}]:
        """{doc}"""{why}
        return self._stream_stream(methods.{method.rpc.constant}, requests, timeout)
'''

TABLE = '''\
{header}
"""All RPCs that the client calls: how each is sent, and when it may be sent again."""

from viam_sync.rpc.method import Method
from viam_sync.rpc.policies import {policies}

{rows}
'''

_TIMEOUT = "Seconds that the call may take in all, retries included; None for the limit of its retry class."
_AMBIGUOUS = "AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example."
_REFUSED = "GRPCError: If the service refuses the call or cannot be reached; a subclass says which."


def module_text(service: ServiceClass, package: str) -> str:
    """Return the module that holds the class of a service; ``package`` is the one that it belongs to."""
    body = "\n".join(method_text(method) for method in service.methods)
    return MODULE.format(
        header=header([service.source, "protos/surface.toml"], "its comments there, or protos/surface.toml,"),
        service=service,
        imports="\n".join(_imports(service, body, package)),
        doc=docstring(service.doc, "    "),
        methods=body,
    )


def table_text(rpcs: Sequence[Rpc]) -> str:
    """Return the module that holds the table of all RPCs."""
    rows = []
    for rpc in rpcs:
        verify = f', verify_with="{rpc.verify_with}"' if rpc.verify_with else ""
        rows.append(f'{rpc.constant} = Method("{rpc.path}", "{rpc.kind}", {rpc.policy}{verify})')
    return TABLE.format(
        header=header(["the .proto files", "protos/surface.toml"], "protos/surface.toml"),
        policies=", ".join(sorted({rpc.policy for rpc in rpcs})),
        rows="\n".join(rows),
    )


def method_text(method: Method) -> str:
    """Return a method, as it stands in its class."""
    if method.rpc.server_streaming:
        template = BIDIRECTIONAL if method.rpc.client_streaming else SERVER_STREAM
    elif method.rpc.client_streaming:
        template = CLIENT_STREAM if method.returned else CLIENT_STREAM_WITHOUT_RESULT
    else:
        template = UNARY if method.returned else UNARY_WITHOUT_RESULT
    return template.format(
        method=method,
        parameters=", ".join(_parameters(method)),
        annotation=_tuple([each.annotation for each in method.returned], "Tuple[{}]"),
        doc=docstring(_described(method), " " * 8, list(_sections(method))),
        request=_request(method),
        why="\n" + comment(method.why, " " * 8) if method.why else "",
        result=_tuple([each.expression for each in method.returned], "{}"),
    )


def _request(method: Method) -> str:
    """Return the lines that make the request; what does not fit is named as the parameter, not as the field."""
    indent = " " * 8
    made = f"request = {method.request}({', '.join(_arguments(method.parameters))})"
    renamed = [f'{each.field}="{each.name}"' for each in method.parameters if _may_be_misnamed(method, each)]
    if renamed:
        made = f"with parameter_names({', '.join(renamed)}):\n{indent}    {made}"
    return "\n".join(f"{indent}{line}" for line in (*_checks(method), made))


def _may_be_misnamed(method: Method, parameter: Parameter) -> bool:
    """Tell whether an error of the request may name a parameter by a field that its caller does not know."""
    # The caller of list_ knows the name list.
    is_renamed = parameter.name.rstrip("_") != parameter.field
    # An ID that was required is a str that fits.
    is_checked = parameter.required and not method.needs_one and id_kind(parameter.name) == "id"
    return is_renamed and not is_checked


def _checks(method: Method) -> Iterable[str]:
    """Yield the lines that refuse what is missing."""
    checked = [f"{each.name}={each.name}" for each in method.parameters if each.required or method.needs_one]
    if checked:
        yield f"{'require_one' if method.needs_one else 'require'}({', '.join(checked)})"
    yield from (f'text("{name}", {name})' for name in method.not_empty)


def _arguments(parameters: Sequence[Parameter]) -> Iterable[str]:
    """Yield the arguments of the request; a field that bears a keyword of Python can only be given in a dict."""
    barred = [each for each in parameters if keyword.iskeyword(each.field)]
    yield from (f"{each.field}={each.name}" for each in parameters if each not in barred)
    if barred:
        yield "**{" + ", ".join(f'"{each.field}": {each.name}' for each in barred) + "}"


def _parameters(method: Method) -> Iterable[str]:
    yield "self"
    if method.rpc.client_streaming:
        yield f"requests: Iterable[{method.request}]"
    positional = [_parameter(each) for each in method.parameters if not each.keyword_only]
    named = [_parameter(each) for each in method.parameters if each.keyword_only]
    (positional if method.timeout_by_position else named).append("timeout: Optional[float] = None")
    yield from positional
    if named:
        yield "*"
    yield from named


def _parameter(each: Parameter) -> str:
    return f"{each.name}: {each.annotation}" + ("" if each.default is None else f" = {each.default}")


def _tuple(parts: Sequence[str], many: str) -> str:
    return parts[0] if len(parts) == 1 else many.format(", ".join(parts))


def _described(method: Method) -> str:
    if not method.deprecated:
        return method.doc
    first, *others = method.doc.split("\n\n")
    return "\n\n".join([first, "The service has deprecated this method.", *others])


def _sections(method: Method) -> Iterable[str]:
    indent = " " * 8
    yield from ("", f"{indent}Args:")
    if method.rpc.client_streaming:
        yield from _item("requests", "The messages to send, one after the other.")
    for each in method.parameters:
        yield from _item(each.name, each.doc)
    yield from _item("timeout", _TIMEOUT)
    yield from _returns(method)
    yield from ("", f"{indent}Raises:")
    doubtful = [_AMBIGUOUS] if method.rpc.policy in ("NON_IDEMPOTENT", "UPLOAD") else []
    for text in [*method.raises, *doubtful, _REFUSED]:
        name, _, meaning = text.partition(": ")
        yield from _item(name, meaning)
    if method.example:
        yield from ("", f"{indent}Example:")
        yield from textwrap.indent(method.example, indent + "    ").splitlines()


def _returns(method: Method) -> Iterable[str]:
    indent = " " * 12
    if method.rpc.server_streaming:
        yield from ("", " " * 8 + "Returns:")
        yield from wrapped("The answers of the service, one after the other; close it to end it early.", indent)
    elif method.returned:
        yield from ("", " " * 8 + "Returns:")
        yield from wrapped(_all_of(method.returned), indent)


def _all_of(returned: Sequence[Returned]) -> str:
    if len(returned) == 1:
        return sentence(returned[0].doc)
    docs = [sentence(each.doc).rstrip(".") for each in returned]
    return "; ".join([docs[0], *(_lowered(doc) for doc in docs[1:])]) + "."


def _lowered(doc: str) -> str:
    """Return a sentence as it goes on after a semicolon; ID and URL stay as they are."""
    return doc if doc[1:2].isupper() else doc[:1].lower() + doc[1:]


def _item(name: str, doc: str) -> List[str]:
    return wrapped(f"{name}: {sentence(doc)}", " " * 12, further=" " * 4)


def _imports(service: ServiceClass, body: str, services: str) -> Iterable[str]:
    names = ("Any", "Dict", "Iterable", "List", "Mapping", "Optional", "Sequence", "Tuple")
    typing = [name for name in names if f"{name}[" in body or f", {name}]" in body]
    if typing:
        yield f"from typing import {', '.join(typing)}"
    yield ""
    for alias, module in sorted(service.messages.items(), key=lambda item: item[1]):
        package, _, name = module.rpartition(".")
        yield f"from {package} import {name} as {alias}" if package else f"import {name} as {alias}"
    refusals = [name for name in ("parameter_names", "require", "require_one", "text") if f" {name}(" in body]
    if refusals:
        yield f"from viam_sync.checks import {', '.join(refusals)}"
    values = [name for name in ("DurationLike", "StructLike", "TimestampLike") if name in body]
    if values:
        yield f"from viam_sync.messages.values import {', '.join(values)}"
    yield "from viam_sync.rpc.service import Service"
    if "Stream[" in body:
        yield "from viam_sync.rpc.streams import Stream"
    if service.methods:
        yield f"from {services} import methods"
    if "struct_to_dict(" in body:
        yield "from viam_sync.messages.conversion import struct_to_dict"
