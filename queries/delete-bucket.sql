-- Buckets that were deleted, and who deleted them.
--
-- Every attempt since the start of 2024, newest first. Attempts that were refused are among them:
-- add `errorCode` to the columns to tell them apart.
--
-- category: management

SELECT eventTime, userIdentity.arn, eventName, sourceIPAddress FROM my-event-data-store WHERE eventName = 'DeleteBucket' AND eventTime > '2024-01-01' ORDER BY eventTime DESC
