"""`constintel brands`: create and list brands; prints JSON that other programs read."""

import json
import sys
from typing import Annotated, Any

import typer

from brands.onboarding import NewBrand, create_brand
from cli.connection import open_graph
from cli.options import DataDirOption
from core.clock import format_time
from core.errors import ConstIntelError
from graph.repositories.brands import list_brands

app = typer.Typer(help="Brands: the tenants of this installation.", no_args_is_help=True)


@app.command("create")
def create(
    id: Annotated[str, typer.Argument(metavar="ID", help="Lower-case letters, digits, - and _.")],
    name: Annotated[str, typer.Option(help="Name for people; the id without it.")] = "",
    region: Annotated[str, typer.Option(help="ISO 3166 country that bare phone numbers belong to.")] = "US",
    currency: Annotated[str, typer.Option(help="ISO 4217 currency of the headline figures.")] = "USD",
    data_dir: DataDirOption = None,
) -> None:
    """Create a brand and print its keys and webhook secrets, which are shown only now."""
    try:
        with open_graph(data_dir) as graph:
            created = create_brand(graph, NewBrand(id, name, region, currency))
    except ConstIntelError as error:
        raise _failed(error) from error
    _print(created.as_dict())


@app.command("list")
def list_all(data_dir: DataDirOption = None) -> None:
    """Print every brand, one JSON object a line."""
    try:
        with open_graph(data_dir) as graph:
            brands = list_brands(graph)
    except ConstIntelError as error:
        raise _failed(error) from error
    for brand in brands:
        _print({**brand, "created_at": format_time(brand["created_at"])})


def _print(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


def _failed(error: ConstIntelError) -> typer.Exit:
    """Say what is wrong on stderr; the exit status says that it failed."""
    sys.stderr.write(f"{error.detail}\n")
    return typer.Exit(1)
