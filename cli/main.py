"""Entry of the console script `constintel`: the table of commands, each loaded only when it is asked for."""

import typer

app = typer.Typer(name="constintel", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Customer identity resolution: events in, one known customer out."""
