package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// SetUp fills an empty store with the samples and calls expect, for each hook
// of the receiver, with the secrets that sign its requests. On a store that was
// set up before it changes only the receiver's address, which may have moved.
func SetUp(ctx context.Context, store *models.Store, receiverURL string, expect func(name string, secrets ...string)) error {
	samples := sampleWebhooks()
	// The last to be made tells a set-up that was completed.
	_, err := store.Users.ByEmail(ctx, email(samples[len(samples)-1].owner))
	switch {
	case errors.Is(err, models.ErrNotFound):
		if err = createSamples(ctx, store, receiverURL); err != nil {
			return fmt.Errorf("set up the samples: %w", err)
		}
	case err != nil:
		return err
	}
	return connect(ctx, store, receiverURL, expect)
}

func createSamples(ctx context.Context, store *models.Store, receiverURL string) error {
	by := models.Actor{Name: "demo"}
	for _, name := range []string{models.EnableGenericWebhooks, models.DispatchInterval, models.DispatchDelay} {
		if err := store.Settings.Change(ctx, by, name, sampleSettings()[name], "Set up for the demo"); err != nil {
			return err
		}
	}
	for _, l := range sampleLocations() {
		if err := store.Locations.Ensure(ctx, l.Slug, l.Name); err != nil {
			return err
		}
		if err := store.Locations.Describe(ctx, by, l.Slug, models.Label{Name: l.Name, Description: l.Description}); err != nil {
			return err
		}
	}
	all, _, err := store.Webhooks.All(ctx)
	if err != nil {
		return err
	}
	for _, sample := range sampleWebhooks() {
		if slices.ContainsFunc(all, func(w models.Webhook) bool { return w.Name == sample.name }) {
			continue // from a set-up that was interrupted
		}
		owner, err := sampleOwner(ctx, store, sample.owner)
		if err != nil {
			return err
		}
		in, err := sample.input(receiverURL)
		if err != nil {
			return err
		}
		if _, err = store.Webhooks.Create(ctx, owner.Actor(), in); err != nil {
			return err
		}
	}
	return nil
}

// sampleOwner adds a member with a random password that is not shown.
func sampleOwner(ctx context.Context, store *models.Store, name string) (models.User, error) {
	hash, err := passwords.Hash(rand.Text())
	if err != nil {
		return models.User{}, err
	}
	user, err := store.Users.Create(ctx, models.User{
		Email: email(name), Name: name, PasswordHash: hash, Role: models.RoleAdministrator,
	})
	if errors.Is(err, models.ErrExists) {
		return store.Users.ByEmail(ctx, email(name))
	}
	return user, err
}

// connect brings receiver and samples together: the samples learn where the
// receiver is, the receiver learns their secrets.
func connect(ctx context.Context, store *models.Store, receiverURL string, expect func(name string, secrets ...string)) error {
	all, _, err := store.Webhooks.All(ctx)
	if err != nil {
		return err
	}
	for _, w := range all {
		opened, err := store.Webhooks.Open(w)
		if err != nil {
			return err
		}
		target, err := url.Parse(opened.URL)
		if err != nil {
			continue
		}
		i := slices.IndexFunc(sampleWebhooks(), func(d sampleWebhook) bool { return d.name == w.Name && d.path == target.Path })
		if i < 0 {
			continue // not one of ours, or changed into another
		}
		sample := sampleWebhooks()[i]
		expect(sample.path[strings.LastIndexByte(sample.path, '/')+1:], opened.Secrets[:]...)
		if opened.URL == receiverURL+sample.path {
			continue
		}
		if err := retarget(ctx, store, w, receiverURL+sample.path); err != nil {
			return err
		}
	}
	return nil
}

func retarget(ctx context.Context, store *models.Store, w models.Webhook, target string) error {
	format, ok := wire.Lookup(w.Type)
	_, err := store.Webhooks.Update(ctx, models.Actor{Name: "demo"}, w.ID, w.UpdatedAt, models.WebhookInput{
		Type: w.Type, Name: w.Name, Location: w.Location, Community: w.Community, TagMode: w.TagMode,
		Events: w.Events, Tags: w.Tags, Options: w.Options,
		URL: target, URLShown: send.Shown(target, ok && format.SecretURL),
	})
	return err
}
