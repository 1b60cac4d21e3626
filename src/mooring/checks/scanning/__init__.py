"""What files of an image hold that nobody should ship: malware, pickles that run code, secrets."""

from mooring.checks.scanning.clamd import Antivirus
from mooring.checks.scanning.detection import Detection, Severity
from mooring.checks.scanning.inspector import Scanner, scanner
from mooring.checks.scanning.secret_scan import secret_in, secret_setting

__all__ = ["Antivirus", "Detection", "Scanner", "Severity", "scanner", "secret_in", "secret_setting"]
