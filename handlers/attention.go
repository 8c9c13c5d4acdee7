package handlers

import (
	"context"

	"github.com/sitehooks/sitehooks/models"
)

// attention is what every page says about webhooks that need somebody.
type attention struct {
	Broke    *models.Attention  // the one that broke; nil: none, or several
	Several  int64              // how many broke when there are several
	Expiring []models.Attention // whose held notifications expire before long
}

// attention is nil when all is well. A page is not refused for it.
func (s *Site) attention(ctx context.Context) *attention {
	list, err := s.store.webhooks.Attention(ctx)
	if err != nil {
		s.Log.ErrorContext(ctx, "webhooks that need attention not read", "error", err)
		return nil
	}
	if len(list) == 0 {
		return nil
	}
	a := &attention{}
	for _, w := range list {
		switch {
		case w.State == models.WebhookBroken && w.Alike > 1:
			a.Several = w.Alike
		case w.State == models.WebhookBroken:
			a.Broke = &w
		}
		if w.Soon {
			a.Expiring = append(a.Expiring, w)
		}
	}
	return a
}
