package models

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

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
	Help    string // its effect
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

var settingDefs = []SettingDef{
	{
		Name: EnableGenericWebhooks, Bool: true, Default: "False",
		Help: "Turns all webhooks except Slack on or off. While off, none can be created or send. Their deliveries are held, and are sent when it is turned on again.",
	},
	{
		Name: DispatchInterval, Unit: "seconds", Min: 0, Max: 3600, Default: "5",
		Help: "How often to check for new events. 0 means as they arrive.",
	},
	{
		Name: DispatchDelay, Unit: "seconds", Min: 0, Max: 86400, Default: "10",
		Help: "How long to wait before sending. Repeated events about the same item within this time are sent as one.",
	},
	{
		Name: EnableTriggerHistory, Bool: true, Default: "True",
		Help: "Record which events triggered which webhooks. Deliveries are always recorded.",
	},
	{
		Name: HistoryRetentionDays, Unit: "days", Min: 1, Max: 3650, Default: "30",
		Help: "How long finished deliveries and their events are kept. Notifications still waiting are kept until they are sent or until the same number of days has passed.",
	},
}

// SettingDefs returns all site settings in the order of their page.
func SettingDefs() []SettingDef { return slices.Clone(settingDefs) }

// SettingByName finds a setting.
func SettingByName(name string) (SettingDef, bool) {
	i := slices.IndexFunc(settingDefs, func(d SettingDef) bool { return d.Name == name })
	if i < 0 {
		return SettingDef{}, false
	}
	return settingDefs[i], true
}

// Words returns a value with its unit, in the singular for one.
func (d SettingDef) Words(value string) string {
	switch {
	case d.Unit == "":
		return value
	case value == "1":
		return value + " " + strings.TrimSuffix(d.Unit, "s")
	default:
		return value + " " + d.Unit
	}
}

// Check returns the value in its normal form, or an error that describes the
// fault in a sentence.
func (d SettingDef) Check(value string) (string, error) {
	if d.Bool {
		if value != "True" && value != "False" {
			return "", fmt.Errorf("%s must be True or False", d.Name)
		}
		return value, nil
	}
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil || int(n) < d.Min || int(n) > d.Max {
		return "", fmt.Errorf("%s must be a whole number of %s from %d to %d", d.Name, d.Unit, d.Min, d.Max)
	}
	return strconv.FormatUint(n, 10), nil
}

type settingRow struct {
	Name  string `gorm:"primaryKey"`
	Value string
}

func (settingRow) TableName() string { return "settings" }

// SettingsStore keeps the site settings; one without a row has its default.
type SettingsStore struct{ s *Store }

// Get returns the settings in force.
func (x *SettingsStore) Get(ctx context.Context) (_ Settings, err error) {
	defer wrap(&err, "read settings")
	return x.get(x.s.db.WithContext(ctx))
}

// Values returns every setting's value by name.
func (x *SettingsStore) Values(ctx context.Context) (_ map[string]string, err error) {
	defer wrap(&err, "read settings")
	return x.values(x.s.db.WithContext(ctx))
}

func (x *SettingsStore) values(tx *gorm.DB) (map[string]string, error) {
	var rows []settingRow
	if err := tx.Find(&rows).Error; err != nil {
		return nil, err
	}
	values := defaults()
	for _, r := range rows {
		values[r.Name] = r.Value
	}
	return values, nil
}

func defaults() map[string]string {
	values := make(map[string]string, len(settingDefs))
	for _, d := range settingDefs {
		values[d.Name] = d.Default
	}
	return values
}

func (x *SettingsStore) get(tx *gorm.DB) (Settings, error) {
	v, err := x.values(tx)
	if err != nil {
		return Settings{}, err
	}
	return settingsOf(v), nil
}

// settingsOf reads checked values by name.
func settingsOf(v map[string]string) Settings {
	number := func(name string, unit time.Duration) time.Duration {
		n, _ := strconv.Atoi(v[name]) // checked when it was stored
		return time.Duration(n) * unit
	}
	return Settings{
		GenericEnabled:   v[EnableGenericWebhooks] == "True",
		DispatchInterval: number(DispatchInterval, time.Second),
		DispatchDelay:    number(DispatchDelay, time.Second),
		TriggerHistory:   v[EnableTriggerHistory] == "True",
		Retention:        number(HistoryRetentionDays, 24*time.Hour),
	}
}

// Change stores a checked value with its author and reason. Dispatch runs at
// once, by the new settings; switching the feature on releases held deliveries.
// Error: ErrNotFound for an unknown name.
func (x *SettingsStore) Change(ctx context.Context, by Actor, name, value, reason string) (err error) {
	defer wrap(&err, "change setting %s", name)
	return x.change(ctx, by, name, nil, value, reason)
}

// ChangeFrom is Change, if the setting has the value old. Error also:
// *ConflictError when it has another one.
func (x *SettingsStore) ChangeFrom(ctx context.Context, by Actor, name, old, value, reason string) (err error) {
	defer wrap(&err, "change setting %s", name)
	return x.change(ctx, by, name, &old, value, reason)
}

func (x *SettingsStore) change(ctx context.Context, by Actor, name string, old *string, value, reason string) error {
	def, ok := SettingByName(name)
	if !ok {
		return ErrNotFound
	}
	return x.s.db.TxLong(ctx, func(tx *gorm.DB) error {
		// Two changes at once follow each other, so that each history line
		// names the value it really replaced.
		if err := tx.Clauses(forUpdate).Take(&dispatchRun{}, 1).Error; err != nil {
			return err
		}
		values, err := x.values(tx)
		if err != nil {
			return err
		}
		if old != nil && values[name] != *old {
			return &ConflictError{By: "somebody else"}
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		err = tx.Clauses(clause.OnConflict{
			Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"value"}),
		}).Create(&settingRow{Name: name, Value: value}).Error
		if err != nil {
			return err
		}
		err = tx.Create(&SettingChange{
			Name: name, OldValue: values[name], NewValue: value, Reason: reason,
			ByID: by.UserID, ByName: by.Name, At: now,
		}).Error
		if err != nil {
			return err
		}
		if err := audit(tx, by, now, "setting.changed", name, def.Words(values[name])+" → "+def.Words(value)+": "+reason); err != nil {
			return err
		}
		if err := tx.Model(&dispatchRun{ID: 1}).Update("next_at", now).Error; err != nil {
			return err
		}
		if name == EnableGenericWebhooks && value == "True" && values[name] != "True" {
			return x.s.releaseFeature(tx, now)
		}
		return nil
	})
}

// releaseFeature sends the deliveries that the switched-off feature held. It
// moves their due times only: tries, rounds and failures go on. It wakes the
// lanes of all its webhooks, in any state: a lane resumed meanwhile sees the old
// setting, and would sleep.
func (s *Store) releaseFeature(tx *gorm.DB, now time.Time) error {
	off, err := s.offTypes(tx, Settings{})
	if err != nil {
		return err
	}
	types := append(slices.Clone(off), "")
	lanes := tx.Table("lanes l").Select("l.webhook_id").Joins("join webhooks w on w.id = l.webhook_id").
		Where("w.deleted_at is null and w.type in ?", types).Order("l.webhook_id").
		Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate, Table: clause.Table{Name: "l"}})
	err = tx.Model(&Lane{}).Where("webhook_id in (?)", lanes).Updates(map[string]any{"next_due_at": now, "paced": true}).Error
	if err != nil {
		return err
	}
	active := tx.Model(&Webhook{}).Select("id").Where("state = ? and deleted_at is null and type in ?", WebhookActive, types)
	return tx.Model(&queuedDelivery{}).Where("webhook_id in (?)", active).
		Updates(map[string]any{"paced": true, "due_at": gorm.Expr(dueNow, now, now)}).Error
}

// History returns a setting's changes, newest first.
func (x *SettingsStore) History(ctx context.Context, name string) (_ []SettingChange, err error) {
	defer wrap(&err, "list changes of setting %s", name)
	var rows []SettingChange
	return rows, x.s.db.WithContext(ctx).Order("id desc").Limit(200).Find(&rows, "name = ?", name).Error
}
