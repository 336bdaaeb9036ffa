"""Filestore: browsers upload straight to S3, the back end decides which uploads to keep."""
