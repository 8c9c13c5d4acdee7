package triggers

import (
	"context"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// triggerCases are the webhooks that were at the event's location when it was
// matched, and those that have come there since.
func (s *Pages) triggerCases(ctx context.Context, within models.LocationSet, e models.Event) ([]triggerCase, error) {
	version := int64(0)
	if e.MatchVersion != nil {
		version = *e.MatchVersion
	}
	versions, err := s.Store.Webhooks.VersionsAt(ctx, e.Location, version)
	if err != nil {
		return nil, err
	}
	if version > 0 {
		later, err := s.laterWebhooks(ctx, e.Location, version, versions)
		if err != nil {
			return nil, err
		}
		versions = append(versions, later...)
	}
	ids, locations, slugs := make([]int64, len(versions)), []string{e.Location}, []string{e.Community}
	for i, v := range versions {
		ids[i] = v.WebhookID
		locations, slugs = append(locations, v.Location), append(slugs, v.Community)
	}
	now, err := s.Store.Webhooks.ByIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	places, err := s.NamesWithin(ctx, within, locations...)
	if err != nil {
		return nil, err
	}
	communities, err := s.CommunityNames(ctx, []string{e.Location}, slugs)
	if err != nil {
		return nil, err
	}
	cases := make([]triggerCase, 0, len(versions))
	for _, v := range versions {
		one := triggerCase{Then: v, Webhook: now[v.WebhookID], Here: places.Of(e.Location), There: places.Of(v.Location), Communities: communities}
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

// laterWebhooks are the webhooks that are at the location now and were not when
// version was in force: each as it was then, or, if it is newer, as it is now.
func (s *Pages) laterWebhooks(ctx context.Context, location string, version int64, then []models.WebhookVersion) ([]models.WebhookVersion, error) {
	present, err := s.Store.Webhooks.VersionsAt(ctx, location, 0)
	if err != nil {
		return nil, err
	}
	known := make(map[int64]bool, len(then))
	for _, v := range then {
		known[v.WebhookID] = true
	}
	later := slices.DeleteFunc(present, func(v models.WebhookVersion) bool { return known[v.WebhookID] })
	ids := make([]int64, len(later))
	for i, v := range later {
		ids[i] = v.WebhookID
	}
	was, err := s.Store.Webhooks.VersionsOf(ctx, ids, version)
	for i, v := range later {
		if old, ok := was[v.WebhookID]; ok {
			later[i] = old
		}
	}
	return later, err
}

// triggerVersions is how far back a webhook that moved here is followed.
const triggerVersions = 1000
