"""Where data lies: folders of this machine, and object storage that speaks S3."""

from mooring.storage.address import Address, Kind, folder_address, parse
from mooring.storage.opening import Places
from mooring.storage.settings import StorageSettings
from mooring.storage.storage import Content, Entry, Storage

__all__ = ["Address", "Content", "Entry", "Kind", "Places", "Storage", "StorageSettings", "folder_address", "parse"]
