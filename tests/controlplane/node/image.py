#!/usr/bin/env python3
"""Packs files of this machine into a container image, with no engine and no registry.

The archive is an OCI layout of one layer, as `ctr image import` reads it. Programs that are linked dynamically bring the
libraries that ldd names; everything belongs to root.
"""

import argparse
import hashlib
import io
import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tarfile

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
# Parts of Python's library that no program of the tests asks for, and that are most of it.
SUPERFLUOUS = {"test", "tests", "idlelib", "ensurepip", "lib2to3", "tkinter", "turtledemo", "pip"}
# Below the library of a Python that environments are made of: what its own user has installed.
FOREIGN = {"site-packages", "dist-packages"}


class Layer:
    """A file system, path by path."""

    def __init__(self):
        self.entries = {}

    def directory(self, path, mode=0o755):
        if path in ("", "/") or path in self.entries:
            return
        self.directory(os.path.dirname(path))
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        self.entries[path] = (entry, None)

    def file(self, path, source):
        self.directory(os.path.dirname(path))
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.size = os.path.getsize(source)
        entry.mode = 0o755 if os.access(source, os.X_OK) else 0o644
        # Python takes a compiled file for stale unless its source is as old as it was.
        entry.mtime = int(os.path.getmtime(source))
        self.entries[path] = (entry, source)

    def link(self, path, target):
        self.directory(os.path.dirname(path))
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        self.entries[path] = (entry, None)

    def tree(self, root, without):
        """All below `root`, at the same place, but for folders of these names; links are followed."""
        for folder, folders, files in os.walk(root, followlinks=True):
            folders[:] = [name for name in folders if name not in without and not name.startswith("config-")]
            for name in files:
                if not name.endswith(".a"):
                    self.file(os.path.join(folder, name), os.path.join(folder, name))

    def libraries(self):
        """What the files that are there now are linked to, at the places where the loader looks."""
        sources = {source for _, source in self.entries.values() if source and is_elf(source)}
        for library in sorted(set().union(*map(linked, sources))):
            self.file(library, os.path.realpath(library))

    def bytes(self):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for _, (entry, source) in sorted(self.entries.items()):
                if source is None:
                    archive.addfile(entry)
                else:
                    with open(source, "rb") as content:
                        archive.addfile(entry, content)
        return packed.getvalue()


def is_elf(path):
    with open(path, "rb") as content:
        return content.read(4) == b"\x7fELF"


def linked(path):
    """The libraries' places; of the lines of ldd those that end in an address: `[libc.so.6 =>] /lib/… (0x…)`."""
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    missing = re.findall(r"^\s*(\S+) => not found", said, re.MULTILINE)
    if missing:
        sys.exit(f"{path} needs {', '.join(missing)}, which this machine lacks")
    return set(re.findall(r"(/\S+) \(0x", said))


def add_python(layer):
    """The Python that runs this, with the packages of its environment, all at their places."""
    layer.file(sys.executable, os.path.realpath(sys.executable))
    layer.file(os.path.realpath(sys.executable), os.path.realpath(sys.executable))
    marker = os.path.join(sys.prefix, "pyvenv.cfg")
    if os.path.exists(marker):
        layer.file(marker, marker)
    paths = sysconfig.get_paths()
    for folder in {paths["stdlib"], paths["platstdlib"]}:
        layer.tree(folder, SUPERFLUOUS | FOREIGN)
    for folder in {paths["purelib"], paths["platlib"]}:
        layer.tree(folder, SUPERFLUOUS)
    # Found through the interpreter's own folder, or through the loader's cache, which an image has none of.
    shared = os.path.join(sys.base_prefix, "lib", sysconfig.get_config_var("LDLIBRARY") or "")
    if os.path.isfile(shared):
        layer.file(shared, os.path.realpath(shared))


def blob(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def described(kind, content, **more):
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": blob(content), "size": len(content), **more}


def write(path, name, layer, config):
    layer = layer.bytes()
    config = json.dumps({"architecture": ARCHITECTURE, "os": "linux", "config": config,
                         "rootfs": {"type": "layers", "diff_ids": [blob(layer)]}}).encode()
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                           "config": described("config.v1+json", config),
                           "layers": [described("layer.v1.tar", layer)]}).encode()
    named = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
    index = json.dumps({"schemaVersion": 2, "manifests": [
        described("manifest.v1+json", manifest, annotations=named)]}).encode()
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": index}
    files |= {"blobs/" + blob(content).replace(":", "/"): content for content in (config, manifest, layer)}
    with tarfile.open(path + ".new", "w") as archive:
        for file, content in files.items():
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    os.replace(path + ".new", path)


def pair(text):
    left, _, right = text.partition("=")
    return left, right


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output")
    parser.add_argument("name", help="the whole reference, as in a pod's `image`")
    parser.add_argument("--program", help="a binary that becomes the entrypoint, under its own name in /")
    parser.add_argument("--alone", action="store_true", help="the image holds the program and nothing else: it is static")
    parser.add_argument("--python", action="store_true", help="this Python and its packages; the entrypoint is python")
    parser.add_argument("--file", type=pair, action="append", default=[], metavar="PATH=SOURCE")
    parser.add_argument("--link", type=pair, action="append", default=[], metavar="PATH=TARGET")
    parser.add_argument("--command", action="append", default=[], help="what runs unless the pod says otherwise")
    parser.add_argument("--user", type=int, default=65532)
    options = parser.parse_args()

    layer = Layer()
    if not options.alone:
        layer.directory("/tmp", 0o1777)
    entrypoint = []
    if options.program:
        entrypoint = ["/" + os.path.basename(options.program)]
        layer.file(entrypoint[0], options.program)
    if options.python:
        entrypoint = [sys.executable]
        add_python(layer)
    for path, source in options.file:
        layer.file(path, source)
    if options.alone and (libraries := linked(options.program)):
        sys.exit(f"{options.program} is linked to {', '.join(sorted(libraries))}, and its image holds no library")
    layer.libraries()
    for path, target in options.link:
        layer.link(path, target)
    config = {"User": f"{options.user}:{options.user}", "Env": ["PATH=/bin"], "Entrypoint": entrypoint,
              "Cmd": options.command}
    write(options.output, options.name, layer, config)


main()
