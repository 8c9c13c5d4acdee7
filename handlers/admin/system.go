// Package admin is the administration: locations, members, API tokens, the audit
// log, the system and its settings.
package admin

import (
	"context"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// Pages are those of the administration: locations, members, tokens, the
// audit log, the system and its settings.
type Pages struct {
	*web.Site
	// Ready says why this instance cannot work now; nil error: it can.
	Ready func(ctx context.Context) error
	// Refused returns the requests that the APIs of this instance refused; nil:
	// none are known.
	Refused func() []api.Refused
	// IngestToken says that SITEHOOKS_INGEST_TOKEN is set.
	IngestToken bool
}

type systemPage struct {
	web.Page
	Database models.Database
	Depth    models.Depth
	Dispatch dispatchLine
	DepthMax int64
	Alive    []models.Instance
	Jobs     []models.JobCount
	Workers  []models.Worker
	Settings []siteSettingLine
	Keys     []string
	Locked   int64 // webhooks that none of the keys opens
	Build    []fact
	States   []fact
	Refused  []refusedLine
	Ready    string     // why this instance cannot work; empty: it can
	Late     *time.Time // since when an event is due that is not dispatched; nil: none is for long
}

// refusedLine describes the requests that an API refused for one reason.
type refusedLine struct {
	api.Refused
	Where, Why string
}

var refusedAPIs = map[string]string{"ingest": "Ingest API", "superoffice": "SuperOffice API"}

var refusedReasons = map[string]string{ //nolint:gosec // words for people
	"no_token": "No token", "unknown_token": "Unknown or revoked token", "scope": "Token of another scope",
	"location": "Location not allowed", "media_type": "Content-Type is not JSON", "too_large": "Too large",
	"invalid": "Invalid", "too_slow": "Body too slow", "broken_off": "Body incomplete", "busy": "Too many requests",
}

// fact is a label with its value.
type fact struct{ Name, Value string }

// Size is the database's size in words.
func (p *systemPage) Size() string {
	return humanize.IBytes(uint64(max(p.Database.Bytes, 0)))
}

// Overdue is how long the oldest due delivery has been waiting.
func (p *systemPage) Overdue() string {
	if p.Depth.OldestDue < time.Second {
		return "none"
	}
	return wording.PauseWords(p.Depth.OldestDue)
}

// Capped is a count that stops at DepthMax.
func (p *systemPage) Capped(n int64) string {
	if n >= p.DepthMax {
		return wording.Count(p.DepthMax) + " or more"
	}
	return wording.Count(n)
}

// System says how Sitehooks itself is. Nothing on it is secret.
func (s *Pages) System(c *gin.Context) error {
	ctx := c.Request.Context()
	p := &systemPage{Page: web.Page{Title: "System", Nav: "system"}, DepthMax: models.DepthMax, Keys: s.Store.KeyIDs()}
	var err error
	if p.Database, err = s.Store.Database(ctx); err != nil {
		return err
	}
	at, err := s.Store.Snapshot(ctx)
	if err != nil {
		return err
	}
	p.At, p.Late = &at, at.Late()
	if p.Depth, err = s.Store.Deliveries.Depth(ctx); err != nil {
		return err
	}
	if p.Dispatch, err = s.dispatchOf(ctx, c); err != nil {
		return err
	}
	if p.Locked, err = s.Store.Webhooks.Locked(ctx); err != nil {
		return err
	}
	if p.Workers, err = s.Store.Lanes.Workers(ctx); err != nil {
		return err
	}
	if p.Alive, err = s.Store.Instances.Alive(ctx); err != nil {
		return err
	}
	if p.Jobs, err = s.Store.Jobs(ctx); err != nil {
		return err
	}
	values, err := s.Store.Settings.Values(ctx)
	if err != nil {
		return err
	}
	for _, d := range models.SettingDefs() {
		p.Settings = append(p.Settings, siteSettingLine{d, values[d.Name]})
	}
	for _, state := range []struct{ state, words string }{
		{models.WebhookActive, "Active"}, {models.WebhookStopped, "Paused"}, {models.WebhookBroken, "Broken"},
	} {
		p.States = append(p.States, fact{state.words, wording.Count(p.Depth.Webhooks[state.state])})
	}
	if s.Refused != nil {
		for _, r := range s.Refused() {
			p.Refused = append(p.Refused, refusedLine{r, refusedAPIs[r.API], refusedReasons[r.Reason]})
		}
	}
	p.Build = buildFacts(s.Version)
	if s.Ready != nil {
		if err := s.Ready(ctx); err != nil {
			p.Ready = wording.Sentence(err)
		}
	}
	return s.Render(c, http.StatusOK, "admin_system", p)
}

// buildFacts describe the build of this program.
func buildFacts(version string) []fact {
	facts := []fact{{"Version", version}, {"Go", runtime.Version()}, {"System", runtime.GOOS + "/" + runtime.GOARCH}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return facts
	}
	names := map[string]string{"vcs.revision": "Commit", "vcs.time": "Committed", "vcs.modified": "Changed since"}
	for _, setting := range info.Settings {
		if name, known := names[setting.Key]; known {
			facts = append(facts, fact{name, setting.Value})
		}
	}
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" })
}

// Templates are the templates of these pages, each with the struct that it is
// rendered with.
func Templates() map[string]any {
	return map[string]any{
		"admin_audit":     &auditPage{},
		"admin_location":  &locationPage{},
		"admin_locations": &locationsPage{},
		"admin_member":    &memberPage{},
		"admin_members":   &membersPage{},
		"admin_system":    &systemPage{},
		"admin_tokens":    &tokensPage{},
		"site_setting":    &siteSettingPage{},
		"site_settings":   &siteSettingsPage{},
	}
}
