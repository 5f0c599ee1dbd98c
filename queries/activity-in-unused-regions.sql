-- Activity in regions where nothing should happen.
--
-- Calls in any region but the company's own three. Global services log in us-east-1, so that one
-- is always in use.
--
-- category: management

SELECT
    awsRegion,
    userIdentity.arn,
    count(*) AS calls,
    array_sort(array_agg(DISTINCT eventName)) AS eventNames
FROM
    my-event-data-store
WHERE
    awsRegion NOT IN ('us-east-1', 'eu-west-1', 'ap-northeast-1')
GROUP BY
    awsRegion,
    userIdentity.arn
ORDER BY
    calls DESC,
    userIdentity.arn
