package models

import (
	"errors"

	"gorm.io/gorm"
)

// WebhooksPerLocation is how many webhooks a location may have: each is looked
// at for every event of it, and stands in the memory of every instance. Two
// made at the same moment may go beyond it by one.
const WebhooksPerLocation = 20_000

// ErrFull refuses one webhook more for a location that has WebhooksPerLocation.
var ErrFull = errors.New("the location has as many webhooks as it may have")

func checkCapacity(tx *gorm.DB, location string) error {
	var n int64
	err := tx.Model(&Webhook{}).Where("location = ? and deleted_at is null", location).Count(&n).Error
	if err == nil && n >= WebhooksPerLocation {
		return ErrFull
	}
	return err
}
