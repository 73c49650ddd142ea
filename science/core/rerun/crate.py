"""The run as an RO-Crate: who made what of what, in JSON that other tools read.

Follows RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) and the Process Run Crate 0.5 profile
(https://w3id.org/ro/wfrun/process/0.5). Nothing is looked up: contexts are named, not fetched.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from typing import Any

from science.core.rerun.records import Recorded

_CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
]
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_LICENCE = "https://spdx.org/licenses/Apache-2.0"


def crate(run: Recorded, files: Mapping[str, bytes]) -> dict[str, Any]:
    """The JSON-LD of ``ro-crate-metadata.json`` for a bundle with these files."""
    known = run.manifest
    title = str(run.config.get("title") or run.folder.name)
    parts = [{"@id": name} for name in sorted(files)]
    made = [p for p in parts if p["@id"].startswith("run/")]
    inputs = [p for p in made if p["@id"] == "run/config.yaml"]
    results = [p for p in made if p not in inputs]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": title,
        "description": str(run.config.get("question") or title),
        "datePublished": str(known["times"].get("started", ""))[:10],
        "license": {"@id": _LICENCE},
        "conformsTo": {"@id": _PROFILE},
        "identifier": known["run_id"],
        "hasPart": parts,
        "mentions": {"@id": f"#{known['run_id']}"},
    }
    action = {
        "@id": f"#{known['run_id']}",
        "@type": "CreateAction",
        "name": f"Run of {known['experiment']['name']}",
        "description": known["command"],
        "startTime": known["times"].get("started"),
        "instrument": {"@id": "#workbench"},
        "object": inputs + ([{"@id": "#data"}] if known["data"] else []),
        "result": results,
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }
    return {
        "@context": _CONTEXT,
        "@graph": [
            {
                "@id": "ro-crate-metadata.json",
                "@type": "CreativeWork",
                "about": {"@id": "./"},
                "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            },
            root,
            {
                "@id": _PROFILE,
                "@type": "CreativeWork",
                "name": "Process Run Crate",
                "version": "0.5",
            },
            {"@id": _LICENCE, "@type": "CreativeWork", "name": "Apache License 2.0"},
            _software(known),
            {k: v for k, v in action.items() if v is not None},
            *_data(known),
            *(_file(name, data) for name, data in sorted(files.items())),
        ],
    }


def _software(known: Mapping[str, Any]) -> dict[str, Any]:
    code = known["code"]
    return {
        "@id": "#workbench",
        "@type": "SoftwareApplication",
        "name": "fifth-paradigm",
        "url": "https://github.com/fifth-paradigm/fifth-paradigm",
        "softwareVersion": str(code["version"]),
        "identifier": code["commit"] or code["digest"],
        "softwareRequirements": [f"{n}=={v}" for n, v in known["packages"].items()],
    }


def _data(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    data = known["data"]
    if not data:
        return []
    name = str(data.get("card", ""))
    about = {"@id": "#data", "@type": "Dataset", "name": name}
    identity = data.get("semantic_id") or data.get("byte_id")
    return [about | ({"identifier": identity} if identity else {})]


def _file(name: str, data: bytes) -> dict[str, Any]:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return {
        "@id": name,
        "@type": "File",
        "name": name.rpartition("/")[2],
        "encodingFormat": "text/yaml" if name.endswith(".yaml") else kind,
        "contentSize": str(len(data)),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
