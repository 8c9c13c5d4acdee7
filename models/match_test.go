package models_test

import (
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// TestMatchSaysBothSides of what keeps an event from a webhook, and only that.
func TestMatchSaysBothSides(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	question, comment, feedback := models.EventKind{Family: "question", Type: "question.created"},
		models.EventKind{Family: "comment", Type: "comment.created"}, models.EventKind{Family: "userecho", Type: "comment.created"}
	for name, c := range map[string]struct {
		filter func(f *models.Filter)
		event  func(s *models.MatchSubject)
		code   string
		says   string
	}{
		"all of it":       {code: models.ReasonMatch},
		"another place":   {event: func(s *models.MatchSubject) { s.Location = "team" }, code: models.ReasonLocation, says: "The event is from team; this webhook is on main."},
		"before it":       {event: func(s *models.MatchSubject) { s.ReceivedAt = at.Add(-time.Second) }, code: models.ReasonCreatedLater, says: "The event was received at 05:06:06 on Mar 4; this webhook was created at 05:06:07 on Mar 4."},
		"at its moment":   {event: func(s *models.MatchSubject) { s.ReceivedAt = at }, code: models.ReasonMatch},
		"the number":      {event: func(s *models.MatchSubject) { s.Number = 7 }, filter: func(f *models.Filter) { f.AfterEvent = 7 }, code: models.ReasonCreatedLater},
		"the next one":    {event: func(s *models.MatchSubject) { s.Number, s.ReceivedAt = 8, at.Add(-time.Hour) }, filter: func(f *models.Filter) { f.AfterEvent = 7 }, code: models.ReasonMatch},
		"another type":    {event: func(s *models.MatchSubject) { s.Kind = comment }, code: models.ReasonActivity, says: "The event is comment.created; this webhook reports question.created."},
		"another family":  {event: func(s *models.MatchSubject) { s.Kind = feedback }, filter: func(f *models.Filter) { f.Kinds = []models.EventKind{question, comment} }, code: models.ReasonActivity, says: "The event is comment.created (userecho); this webhook reports question.created and comment.created."},
		"no types":        {filter: func(f *models.Filter) { f.Kinds = nil }, code: models.ReasonActivity, says: "The event is question.created; this webhook reports none."},
		"other tags":      {filter: func(f *models.Filter) { f.TagMode, f.Tags = models.TagsSpecific, []string{"c", "d", "e"} }, code: models.ReasonTags, says: "The event has a and b; this webhook requires c, d or e."},
		"one of its tags": {filter: func(f *models.Filter) { f.TagMode, f.Tags = models.TagsSpecific, []string{"c", "b"} }, code: models.ReasonMatch},
		"all tags":        {filter: func(f *models.Filter) { f.Tags = []string{"c"} }, code: models.ReasonMatch},
		"no community":    {filter: func(f *models.Filter) { f.Community = "data" }, code: models.ReasonCommunity, says: "The event is in none; this webhook requires data."},
		"another one":     {filter: func(f *models.Filter) { f.Community = "data" }, event: func(s *models.MatchSubject) { s.Community = "web" }, code: models.ReasonCommunity, says: "The event is in web; this webhook requires data."},
		"its community":   {filter: func(f *models.Filter) { f.Community = "data" }, event: func(s *models.MatchSubject) { s.Community = "data" }, code: models.ReasonMatch},
		"any community":   {event: func(s *models.MatchSubject) { s.Community = "web" }, code: models.ReasonMatch},
		"about itself":    {event: func(s *models.MatchSubject) { s.About = 3 }, code: models.ReasonItself, says: "A webhook never reports its own failure."},
		"about another":   {event: func(s *models.MatchSubject) { s.About = 4 }, code: models.ReasonMatch},
		"about none":      {filter: func(f *models.Filter) { f.WebhookID = 0 }, code: models.ReasonMatch},
	} {
		f := models.Filter{WebhookID: 3, Location: "main", Kinds: []models.EventKind{question}, TagMode: models.TagsAll, CreatedAt: at}
		s := models.MatchSubject{Kind: question, Location: "main", Tags: []string{"a", "b"}, ReceivedAt: at.Add(time.Hour)}
		if c.filter != nil {
			c.filter(&f)
		}
		if c.event != nil {
			c.event(&s)
		}
		r := models.Match(f, s)
		want(t, name+": the code", r.Code, c.code)
		want(t, name+": a match", r.OK(), c.code == models.ReasonMatch)
		if c.says != "" || r.OK() {
			want(t, name, r.Sentence(), c.says)
		}
	}
}
