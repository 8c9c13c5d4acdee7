package models

import "time"

// Names of the site settings.
const (
	EnableGenericWebhooks = "Webhooks.EnableGenericWebhooks"
	DispatchInterval      = "Webhooks.DispatchInterval"
	DispatchDelay         = "Webhooks.DispatchDelay"
	EnableTriggerHistory  = "Webhooks.EnableTriggerHistory"
	HistoryRetentionDays  = "Webhooks.HistoryRetentionDays"
)

// SettingDef describes one site setting.
type SettingDef struct {
	Name    string
	Help    string // what it does
	Bool    bool   // True or False; otherwise a whole number
	Unit    string // seconds, days
	Min     int
	Max     int
	Default string
}

// SettingChange is one line of a setting's history.
type SettingChange struct {
	ID       int64
	Name     string
	OldValue string
	NewValue string
	Reason   string
	ByID     int64
	ByName   string
	At       time.Time
}

// Settings in force.
type Settings struct {
	GenericEnabled   bool
	DispatchInterval time.Duration
	DispatchDelay    time.Duration
	TriggerHistory   bool
	Retention        time.Duration
}
