-- One identity, several addresses within an hour.
--
-- People do not change continents in half an hour; stolen sessions do. Services and automation are
-- left out by asking for console sessions.
--
-- category: management

SELECT
    date_trunc('hour', eventTime) AS hour,
    userIdentity.arn,
    count(DISTINCT sourceIPAddress) AS addresses,
    array_join(array_sort(array_agg(DISTINCT sourceIPAddress)), ', ') AS list
FROM
    my-event-data-store
WHERE
    sessionCredentialFromConsole = 'true'
GROUP BY
    date_trunc('hour', eventTime),
    userIdentity.arn
HAVING
    count(DISTINCT sourceIPAddress) >= 3
ORDER BY
    hour
