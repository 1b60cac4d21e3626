"""Where data lies: folders of this machine, and object storage that speaks S3."""
