"""Recognises binary files by their suffix: asked for one, a model answers with prose or a part of its
bytes."""

from __future__ import annotations

_TABLE = """
    png jpg jpeg jpe jfif gif bmp ico icns cur webp avif heic heif jp2 jxl tif tiff psd xcf dds tga exr
    woff woff2 ttf otf eot
    mp3 wav ogg oga opus flac aac m4a wma mid midi mp4 m4v mov avi mkv webm wmv flv mpg mpeg 3gp
    zip tar gz tgz bz2 tbz2 xz txz zst 7z rar lz4 jar war ear aar apk aab ipa whl egg gem nupkg deb rpm
    msi dmg iso img cab crx xpi vsix
    pdf doc docx xls xlsx xlsb ppt pptx odt ods odp epub mobi
    sqlite sqlite3 db db3 mdb accdb parquet avro orc feather npy npz pkl pickle joblib h5 hdf5 rds rdata
    bin lockb pyc pyo pyd class exe dll so dylib o a ko elf wasm node swf
    onnx pt pth safetensors ckpt gguf tflite glb fbx blend 3ds p12 pfx jks keystore
"""
_SUFFIXES = frozenset(_TABLE.split())


def is_binary(path: str) -> bool:
    """Whether a file of this name is binary by its suffix."""
    name = path.rpartition("/")[2].lower()
    stem, _, suffix = name.rpartition(".")
    return bool(stem) and suffix in _SUFFIXES
