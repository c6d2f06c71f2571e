"""The limits that an alert, which is sent, and an alarm, which the overview shows, have in common.

For alerts they are only the defaults of the settings ALERT_OLDEST_EVENT_S and ALERT_FAILING_SIGNATURES.
"""

OLDEST_EVENT_S = 300.0
"""The age of a service's oldest unprocessed event, in seconds, beyond which the service is far behind."""
WRONG_SIGNATURES = 20
"""The number of requests of a provider with a wrong signature in ten minutes from which a person must look."""
