"""Makes the bucket that SLIPWAY_STORE names; one that is there already stays as it is."""

import boto3

from app.settings import from_env
from app.stores.address import S3Address, parse

address = parse(from_env().store)
if not isinstance(address, S3Address):
    raise SystemExit("SLIPWAY_STORE is no bucket")
client = boto3.client("s3", endpoint_url=address.endpoint, region_name=address.region)
if address.bucket not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
    client.create_bucket(Bucket=address.bucket)
