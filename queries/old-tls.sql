-- Clients that still use old TLS versions.
--
-- Who has to change a program before TLS 1.0 and 1.1 are switched off: by client and service, with
-- the last time it was seen.
--
-- category: all

SELECT
    tlsDetails.tlsVersion,
    userIdentity.userName,
    eventSource,
    userAgent,
    count(*) AS calls,
    max(eventTime) AS lastSeen
FROM
    my-event-data-store
WHERE
    tlsDetails.tlsVersion IN ('TLSv1', 'TLSv1.1')
GROUP BY
    tlsDetails.tlsVersion,
    userIdentity.userName,
    eventSource,
    userAgent
ORDER BY
    calls DESC
