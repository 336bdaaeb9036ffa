"""List prices of AWS in us-east-1 in dollars, of a million unless the name says otherwise.

Source: aws.amazon.com/<service>/pricing.
"""

API_GATEWAY_REQUEST = 3.50
S3_PUT = 5.00
S3_GET = 0.40
S3_HEAD = 0.40
DYNAMODB_WRITE_UNIT = 0.625
DYNAMODB_READ_UNIT = 0.125
SQS_REQUEST = 0.40
LAMBDA_REQUEST = 0.20
LAMBDA_ARM_GB_SECOND = 13.3334
LOGS_GB = 0.50
METRIC_READ = 10.00

# Dollars a month.
ALARM = 0.10
DASHBOARD = 3.00
METRIC = 0.30
