package app

import (
	"context"
	"fmt"

	"github.com/sitehooks/sitehooks/models"
)

type idCommand struct {
	New bool `help:"Give the installation another id first, because its database is a copy. Restart its instances afterwards."`
}

// Run prints the id of the installation.
func (c idCommand) Run(ctx context.Context, p Process) error {
	return withStore(ctx, p, func(s *models.Store) error {
		id := s.PublicID()
		if c.New {
			var err error
			if id, err = s.RenewPublicID(ctx); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintln(p.Stdout, id)
		return err
	})
}
