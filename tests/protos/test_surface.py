"""The surface table is refused where it does not fit the schema, in words that name the thing."""

import pytest

from .mini_schemas import generate

REFUSED = {
    "an RPC that does not exist": ("[zoo.v1.ShopService.Steal]\nretry = 'READ'", "zoo.v1.ShopService.Steal"),
    "a service that does not exist": ("[zoo.v1.Shop.Return]\nretry = 'READ'", "zoo.v1.Shop.Return"),
    "an empty table of no RPC": ("[zoo.v1.ShopService.Steal]", "zoo.v1.ShopService.Steal"),
    "a key outside a table": ("retry = 'READ'", "retry"),
    "an unknown key": ("[zoo.v1.ShopService.Return]\nretries = 3", "zoo.v1.ShopService.Return has retries"),
    "an unknown retry class": ("[zoo.v1.ShopService.Return]\nretry = 'OFTEN'", "zoo.v1.ShopService.Return.*'OFTEN'"),
    "an unknown field of the request": (
        "[zoo.v1.ShopService.Return]\nparams = ['receipt']",
        "zoo.v1.ReturnRequest has no field 'receipt'",
    ),
    "an unknown field behind an arrow": (
        "[zoo.v1.ShopService.Return]\nparams = ['receipt_id -> receipt']",
        "zoo.v1.ReturnRequest has no field 'receipt'",
    ),
    "an unknown field of the response": (
        "[zoo.v1.ShopService.Return]\nreturns = 'money'",
        "zoo.v1.ReturnResponse has no field 'money'",
    ),
    "two methods of one name": (
        "[zoo.v1.ShopService.Return]\nname = 'picture'",
        "zoo.v1.ShopService has two methods named picture",
    ),
    "a method with the name of a keyword": ("[zoo.v1.ShopService.Return]\nname = 'return'", "named 'return'"),
    "a parameter with the name of a keyword": (
        "[zoo.v1.ShopService.Return]\nparams = ['from -> receipt_id']",
        "zoo.v1.ShopService.Return cannot have a parameter named 'from'",
    ),
    "a parameter that the method uses itself": (
        "[zoo.v1.ShopService.Return]\nparams = ['timeout -> receipt_id']",
        "zoo.v1.ShopService.Return cannot have a parameter named 'timeout'",
    ),
    "a parameter twice": (
        "[zoo.v1.ShopService.BuyOAuthThing]\nparams = ['thing_id', 'thing_id -> count']",
        "zoo.v1.ShopService.BuyOAuthThing cannot have a parameter named 'thing_id'",
    ),
    "a field twice": (
        "[zoo.v1.ShopService.BuyOAuthThing]\nparams = ['thing_id', 'thing -> thing_id']",
        "zoo.v1.ShopService.BuyOAuthThing has two parameters for the field 'thing_id'",
    ),
    "a default before a parameter without one": (
        "[zoo.v1.ShopService.BuyOAuthThing]\nparams = ['count = 1', 'thing_id']",
        "zoo.v1.ShopService.BuyOAuthThing needs a default for 'thing_id', as 'count' has one",
    ),
    "a parameter that must not be empty and is none": (
        "[zoo.v1.ShopService.Return]\nnot_empty = ['receipt']",
        "zoo.v1.ShopService.Return has no parameter receipt",
    ),
    "a method that is there and is not": (
        "[zoo.v1.ShopService.Return]\nhand_written = 'shop'\nomitted = 'Why not.'",
        "zoo.v1.ShopService.Return cannot be both",
    ),
}


@pytest.mark.parametrize(("table", "text"), REFUSED.values(), ids=list(REFUSED))
def test_the_table_cannot_have(table, text):
    with pytest.raises(ValueError, match=text) as caught:
        generate("surface", table)
    assert type(caught.value).__name__ == "SurfaceError"


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("[zoo.v1.ZooService.Feed]\nparams = ['bite']", "Feed takes a stream of requests, so it has no params"),
        ("[zoo.v1.ZooService.Watch]\nreturns = 'doing'", "Watch returns a stream, so no field of it can be returned"),
    ],
)
def test_the_table_cannot_take_apart_a_stream(table, text):
    with pytest.raises(ValueError, match=text):
        generate("streams", table)


def test_two_services_cannot_be_made_into_one_module():
    with pytest.raises(ValueError, match=r"services/zoo_service\.py"):
        generate("../refused/same_module")


def test_a_message_cannot_have_a_name_that_the_stub_needs():
    with pytest.raises(ValueError, match="a message named Message"):
        generate("../refused/unfit_message")
