package sources

import (
	"context"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/models"
)

// revealAddress asks for the address where others ask for a secret's number.
const revealAddress = "address"

// Reveal asks for the member's password before a saved secret, or the address,
// is shown.
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

// secretsOf are the sealed parts of the source that the address names.
func (s *Pages) secretsOf(c *gin.Context) (reveal.Owner, error) {
	row, err := s.row(c)
	if err != nil {
		return reveal.Owner{}, err
	}
	src := row.Source
	o := reveal.Owner{Kind: "source", Name: src.Name, Path: Path(src.Name)}
	for i, sealed := range []string{models.PartSecret1, models.PartSecret2} {
		if n := strconv.Itoa(i + 1); savedSecrets(src)[i].Set {
			o.Parts = append(o.Parts, reveal.Secret{Value: n, Sealed: sealed, Label: "Signing secret " + n, Object: "signing secret " + n})
		}
	}
	if src.Address != "" {
		o.Parts = append(o.Parts, reveal.Secret{Value: revealAddress, Sealed: models.PartURL, Label: "Address", Object: "the address"})
	}
	o.Open = func(ctx context.Context, by models.Actor, p reveal.Secret) (string, error) {
		plain, err := s.Store.Sources.Reveal(ctx, by, src.Name, p.Sealed, p.Label)
		if err == nil && p.Value == revealAddress {
			plain = s.fullAddress(src.Name, plain)
		}
		return plain, err
	}
	return o, nil
}

// fullAddress is where a sender posts to, with the token.
func (s *Pages) fullAddress(name, token string) string {
	return s.BaseURL.String() + "/in/" + name + "/" + token
}
