package webhooks

import (
	"context"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/models"
)

// revealURL asks for the URL where others ask for a secret's number.
const revealURL = "url"

// Reveal asks for the member's password before a saved secret is shown.
func (s *Pages) Reveal(c *gin.Context) error {
	o, err := s.secretsOf(c)
	if err != nil {
		return err
	}
	return s.Secrets.Get(c, o)
}

// RevealPost shows it.
func (s *Pages) RevealPost(c *gin.Context) error {
	o, err := s.secretsOf(c)
	if err != nil {
		return err
	}
	return s.Secrets.Post(c, o)
}

// secretsOf are the sealed parts of the webhook that the address names.
func (s *Pages) secretsOf(c *gin.Context) (reveal.Owner, error) {
	w, f, err := s.savedWebhook(c)
	if err != nil {
		return reveal.Owner{}, err
	}
	o := reveal.Owner{Kind: "webhook", Name: w.Name, Path: WebhookPath(w.ID)}
	sealed := [2]string{models.PartSecret1, models.PartSecret2}
	for i, secret := range f.Secrets {
		if hasSecret(w, i) {
			o.Parts = append(o.Parts, reveal.Secret{Value: strconv.Itoa(i + 1), Sealed: sealed[i], Label: secret.Label, Object: lowerFirst(secret.Label)})
		}
	}
	if f.SecretURL {
		o.Parts = append(o.Parts, reveal.Secret{Value: revealURL, Sealed: models.PartURL, Label: "URL", Object: "the URL"})
	}
	o.Open = func(ctx context.Context, by models.Actor, p reveal.Secret) (string, error) {
		return s.Store.Webhooks.Reveal(ctx, by, w.ID, p.Sealed, p.Label)
	}
	return o, nil
}
