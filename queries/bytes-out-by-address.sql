-- How much data left for which address.
--
-- Bytes read from S3 by source address, for addresses outside the company's own networks. AWS
-- services have names instead of addresses, and are left out.
--
-- category: data

SELECT
    sourceIPAddress,
    count(*) AS objects,
    sum(CAST(element_at(additionalEventData, 'bytesTransferredOut') AS bigint)) AS bytesOut,
    count(DISTINCT userIdentity.accessKeyId) AS accessKeys
FROM
    my-event-data-store
WHERE
    eventSource = 's3.amazonaws.com'
    AND eventName = 'GetObject'
    AND regexp_like(sourceIPAddress, '^[0-9.]+$|:')
    AND sourceIPAddress NOT LIKE '192.0.2.%'
    AND sourceIPAddress NOT LIKE '198.51.100.%'
GROUP BY
    sourceIPAddress
ORDER BY
    bytesOut DESC
