"""Options that many commands share, in one wording."""

from pathlib import Path
from typing import Annotated

import typer

DataDirOption = Annotated[Path | None, typer.Option(help="Data directory of `constintel up`; default .constintel.")]
UrlOption = Annotated[str | None, typer.Option(help="Address of the service; default from the data directory.")]
