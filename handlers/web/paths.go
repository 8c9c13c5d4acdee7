package web

// PasswordPath is the address of the page on which members change their
// password.
const PasswordPath = "/account/password"

// OverviewPath is the address of the first page.
const OverviewPath = "/admin"

// WebhooksPath is the address of the list of webhooks.
const WebhooksPath = "/admin/webhooks"

// TriggersPath is the address of the trigger history.
const TriggersPath = "/admin/trigger-history"

// TriggerPath is the address of an event's page, by our own number.
func TriggerPath(number int64) string { return TriggersPath + "/" + FormatID(number) }
