"""Elements of small XML files, with the lines that they begin in."""

from __future__ import annotations

from typing import List, Optional
from xml.parsers import expat

from viam_sync.transfer.labels.label_checks import WrongLabel


class XmlNode:
    """An element.

    Args:
        tag: Its name.
        line: The line that it begins in.

    Attributes:
        text: The text in it, without that of the elements in it.
        nodes: The elements in it.
    """

    def __init__(self, tag: str, line: int) -> None:
        self.tag = tag
        self.line = line
        self.text = ""
        self.nodes: List[XmlNode] = []

    def find_all(self, tag: str) -> List[XmlNode]:
        """Return the elements of a name in it."""
        return [node for node in self.nodes if node.tag == tag]

    def find(self, tag: str) -> Optional[XmlNode]:
        """Return the first element of a name in it."""
        return next(iter(self.find_all(tag)), None)


def parse_xml(contents: bytes) -> XmlNode:
    r"""Return the outermost element of an XML file from elsewhere.

    Expat, which the standard library's own readers stand on, opens no other file by itself. Here it also takes no
    declaration of an entity, so a small file stays small.

    Args:
        contents: The contents of the file, in any encoding that it tells.

    Raises:
        WrongLabel: With the line, if it is no XML.

    Example:
        >>> from viam_sync.transfer.labels.xml_nodes import parse_xml
        >>> size = parse_xml(b"<a>\n<size>7</size></a>").find("size")
        >>> size.text, size.line
        ('7', 2)
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    document = XmlNode("", 0)
    open_nodes = [document]

    def begin(tag: str, attributes: object) -> None:
        node = XmlNode(tag, parser.CurrentLineNumber)
        open_nodes[-1].nodes.append(node)
        open_nodes.append(node)

    def add_text(text: str) -> None:
        open_nodes[-1].text += text

    def refuse(*declaration: object) -> None:
        raise WrongLabel("this XML declares an entity, which is not read; write its text instead")

    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda tag: open_nodes.pop()
    parser.CharacterDataHandler = add_text
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(contents, True)
    except WrongLabel as error:
        raise WrongLabel(str(error), parser.CurrentLineNumber) from None
    except expat.ExpatError as error:
        raise WrongLabel(f"this is no XML: {expat.ErrorString(error.code)}", error.lineno) from None
    except (LookupError, ValueError) as error:
        raise WrongLabel(f"this is no XML that can be read: {error}", parser.CurrentLineNumber) from None
    # Expat takes no file without an element.
    return document.nodes[0]
