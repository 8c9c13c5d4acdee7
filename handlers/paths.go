package handlers

const passwordPath = "/account/password"

const webhooksPath = "/admin/webhooks"

// triggersPath is the address of the trigger history.
const triggersPath = "/admin/trigger-history"

// triggerPath is the address of an event's page, by our own number.
func triggerPath(number int64) string { return triggersPath + "/" + formatID(number) }
