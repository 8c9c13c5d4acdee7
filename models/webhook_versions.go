package models

import (
	"context"
	"strings"

	"gorm.io/gorm/clause"
)

// ByIDs returns webhooks by their ids, deleted or not.
func (x *Webhooks) ByIDs(ctx context.Context, ids []int64) (_ map[int64]Webhook, err error) {
	defer wrap(&err, "get webhooks")
	return webhooksByID(x.s.db.WithContext(ctx), ids)
}

// Newest returns the newest webhooks with nothing but number, name and state.
func (x *Webhooks) Newest(ctx context.Context, within LocationSet, limit int) (_ []Webhook, err error) {
	defer wrap(&err, "list newest webhooks")
	var rows []Webhook
	return rows, within.where(x.s.db.WithContext(ctx), "location").Select("id", "name", "state").Order("created_at desc, id desc").Limit(limit).Find(&rows, "deleted_at is null").Error
}

// Suggest returns webhooks whose name contains the input, with only number, name
// and state, exact matches first.
func (x *Webhooks) Suggest(ctx context.Context, within LocationSet, typed string, limit int) (_ []Webhook, err error) {
	defer wrap(&err, "suggest webhooks")
	typed = strings.ToLower(typed)
	var rows []Webhook
	exact := clause.Expr{SQL: "case when lower(name) = ? then 0 else 1 end, name, id", Vars: []any{typed}}
	return rows, within.where(x.s.db.WithContext(ctx), "location").Select("id", "name", "state").Where("lower(name) like ? escape '!'", likeContains(typed)).
		Clauses(clause.OrderBy{Expression: exact}).Limit(limit).Find(&rows, "deleted_at is null").Error
}

// VersionsOf returns of each of the webhooks its newest version not above the
// given one, wherever it was then. One that is younger is left out.
func (x *Webhooks) VersionsOf(ctx context.Context, ids []int64, version int64) (_ map[int64]WebhookVersion, err error) {
	defer wrap(&err, "get versions of webhooks")
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []WebhookVersion
	err = newestVersions(x.s.db.WithContext(ctx), version, ids).Find(&rows).Error
	byID := make(map[int64]WebhookVersion, len(rows))
	for _, v := range rows {
		byID[v.WebhookID] = v
	}
	return byID, err
}
