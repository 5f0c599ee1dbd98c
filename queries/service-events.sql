-- Events that no call caused.
--
-- What AWS's services report of themselves: keys rotated, spot instances taken back, secrets
-- rotated. Their details are in `serviceEventDetails`.
--
-- category: management

SELECT
    eventTime,
    eventSource,
    eventName,
    recipientAccountId,
    map_keys(serviceEventDetails) AS details
FROM
    my-event-data-store
WHERE
    eventType = 'AwsServiceEvent'
    AND eventSource NOT IN ('signin.amazonaws.com', 'sso.amazonaws.com')
ORDER BY
    eventTime,
    eventID
