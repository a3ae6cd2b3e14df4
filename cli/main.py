"""Entry of the console script `constintel`: the table of commands, each loaded only when it is asked for."""

import importlib
import sys
from typing import Any

import typer
from pydantic import ValidationError
from typer.core import TyperCommand, TyperGroup

from core.errors import ConstIntelError

# Name → (module, its Typer or function, what `--help` says). One line registers a command.
COMMANDS = {
    "up": ("cli.up", "up", "Start everything on this machine and serve."),
    "test": ("cli.test", "test", "Start what the tests need and run them all."),
    "check": ("cli.check", "check", "Run the checks of style, types, layers, sizes and queries."),
    "doctor": ("cli.doctor", "doctor", "Say what is wrong with this machine or installation, and what to do."),
    "brands": ("cli.brands", "app", "Create and list brands, the tenants of this installation."),
    "serve": ("cli.serve", "serve", "Run the API of a deployment with databases of its own."),
    "worker": ("cli.worker", "worker", "Run a Celery worker of a deployment."),
    "beat": ("cli.worker", "beat", "Run the Celery beat of a deployment; one at a time."),
    "migrate": ("cli.migrate", "migrate", "Bring the graph's schema up to date."),
    "scenario": ("cli.scenario", "scenario", "Play reference stories against the running service."),
    "demo": ("cli.demo", "demo", "Fill a brand with customers on every channel, and say where to look."),
    "generate": ("cli.generate", "generate", "Send made-up customers whose true identities are known."),
    "import-csv": ("cli.import_csv", "import_csv", "Send a CSV file, with a dry run and refused rows as a file."),
    "replay": ("cli.replay", "replay", "Send stored events through the door once more: nothing counts twice."),
    "example": ("cli.example", "app", "Send public data sets and check what comes back."),
    "evaluate-matching": ("cli.evaluate_matching", "evaluate_matching", "Measure the suggestions on a labelled file."),
    "evaluate": ("cli.evaluate", "evaluate", "Predict from an order file, and say how good the predictions are."),
    "bench": ("cli.bench", "bench", "Measure the write path on this machine."),
}

# Commands that hand what they do not know to another program.
_PASSES_ON = frozenset({"test"})
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


class _LazyCommands(TyperGroup):
    """Lists commands by the table's words and imports only the module of the one that runs."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command as `--help` and completion show it: name and words only."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][2])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that runs, loaded now; an unknown name is answered by the base class."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, _load(str(name)), rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an expected failure is one line on stderr and exit status 1, not a traceback."""
        try:
            return super().invoke(ctx)
        except ConstIntelError as error:
            sys.stderr.write(f"constintel: {error.detail}\n")
        except ValidationError as error:
            sys.stderr.write(f"constintel: {_describe_settings(error)}\n")
        raise typer.Exit(1)


def _load(name: str) -> Any:
    module_name, attribute, words = COMMANDS[name]
    found = getattr(importlib.import_module(module_name), attribute)
    if isinstance(found, typer.Typer):
        command = typer.main.get_command(found)
    else:
        single = typer.Typer(add_completion=False)
        settings = _PASS_ON if name in _PASSES_ON else None
        single.command(name, help=found.__doc__ or words, context_settings=settings)(found)
        command = typer.main.get_command(single)
    command.name = name
    return command


def _describe_settings(error: ValidationError) -> str:
    """Which variable of the environment does not fit; its value is not repeated."""
    problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False)]
    return "a setting does not fit. " + "; ".join(problems)


app = typer.Typer(name="constintel", cls=_LazyCommands, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def _root() -> None:
    """Customer identity resolution: events in, one known customer out."""
