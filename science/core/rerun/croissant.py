"""A dataset card as Croissant 1.1 metadata (https://mlcommons.org/croissant/)."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from science.core.datasets import Card, card
from science.core.errors import UserError
from science.core.rerun.records import Recorded

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(run: Recorded) -> dict[str, Any] | None:
    """Metadata of the run's dataset; None if it has none or its card is not to be found."""
    found = _card(run)
    if found is None:
        return None
    known = run.manifest["data"]
    digests = known.get("files") if isinstance(known.get("files"), Mapping) else {}
    about: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": found.name.replace("/", "-"),
        "description": found.description,
        "license": found.licence,
        "citeAs": "\n".join(found.citation) or found.title,
        "version": "1.0.0",
        "datePublished": str(run.manifest["times"].get("started", ""))[:10],
        "url": found.homepage or "https://github.com/fifth-paradigm/fifth-paradigm",
        "distribution": [_object(f.name, f.urls, dict(digests or {})) for f in found.files],
    }
    return about


def _object(name: str, urls: list[str], digests: Mapping[str, str]) -> dict[str, Any]:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    entry = {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": urls[0] if urls else name,
        "encodingFormat": kind,
    }
    return entry | ({"sha256": digests[name]} if digests.get(name) else {})


def _card(run: Recorded) -> Card | None:
    data = run.manifest["data"]
    kept = data.get("kept") or {}
    try:
        if "card.yaml" in kept:
            return Card.model_validate(yaml.safe_load(run.store.get(kept["card.yaml"])))
        name = str(data.get("card") or "")
        return card(name) if name and not Path(name).suffix else None
    except (UserError, ValueError, yaml.YAMLError):
        return None
