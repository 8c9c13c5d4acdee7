package handlers

import (
	"context"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// triggerCases are the webhooks that were at the event's location when it was
// matched, and those that have come there since.
func (s *Site) triggerCases(ctx context.Context, e models.Event, places locationNames) ([]triggerCase, error) {
	version := int64(0)
	if e.MatchVersion != nil {
		version = *e.MatchVersion
	}
	versions, err := s.store.webhooks.VersionsAt(ctx, e.Location, version)
	if err != nil {
		return nil, err
	}
	if version > 0 {
		later, err := s.triggerLater(ctx, e.Location, version, versions)
		if err != nil {
			return nil, err
		}
		versions = append(versions, later...)
	}
	all, _, err := s.store.webhooks.All(ctx)
	if err != nil {
		return nil, err
	}
	now := make(map[int64]models.Webhook, len(all))
	for _, w := range all {
		now[w.ID] = w
	}
	cases := make([]triggerCase, 0, len(versions))
	for _, v := range versions {
		w, ok := now[v.WebhookID]
		if !ok {
			if w, err = s.store.webhooks.GetAny(ctx, v.WebhookID); err != nil {
				return nil, err
			}
		}
		one := triggerCase{Then: v, Webhook: w, Here: places.of(e.Location), There: places.of(v.Location)}
		if f, ok := wire.Lookup(v.Type); ok {
			one.Format = f
		}
		cases = append(cases, one)
	}
	slices.SortStableFunc(cases, func(a, b triggerCase) int {
		return strings.Compare(strings.ToLower(a.Then.Name), strings.ToLower(b.Then.Name))
	})
	return cases, nil
}

// triggerLater are the webhooks that are at the location now and were not when
// version was in force: each as it was then, or, if it is newer, as it is now.
func (s *Site) triggerLater(ctx context.Context, location string, version int64, then []models.WebhookVersion) ([]models.WebhookVersion, error) {
	present, err := s.store.webhooks.VersionsAt(ctx, location, 0)
	if err != nil {
		return nil, err
	}
	var later []models.WebhookVersion
	for _, v := range present {
		if slices.ContainsFunc(then, func(t models.WebhookVersion) bool { return t.WebhookID == v.WebhookID }) {
			continue
		}
		history, err := s.store.webhooks.History(ctx, v.WebhookID, triggerVersions)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(history, func(h models.WebhookVersion) bool { return h.Version <= version }); i >= 0 {
			v = history[i]
		}
		later = append(later, v)
	}
	return later, nil
}

// triggerVersions is how far back a webhook that moved here is followed.
const triggerVersions = 1000
