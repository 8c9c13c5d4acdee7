package models

import "gorm.io/gorm"

// census has the counts over all webhooks. It is valid for one version of them,
// which every change increases: a page reads the version each time, and counts
// anew when it has changed.
type census struct {
	version int64
	all     int64
	owners  []Owner // by name
}

// Owner is a member with webhooks.
type Owner struct {
	OwnerID   int64 // 0: none
	OwnerName string
}

// census counts the webhooks of the locations; those of all only if they are
// not as they were. The version has to be read before.
func (x *Webhooks) census(db *gorm.DB, within LocationSet, version int64) (*census, error) {
	if !within.All() {
		return censusWithin(db, within, version)
	}
	if c := x.known.Load(); c != nil && c.version == version {
		return c, nil
	}
	c := &census{version: version}
	if err := db.Model(&Webhook{}).Where("deleted_at is null").Count(&c.all).Error; err != nil {
		return nil, err
	}
	// From one owner to the next in the index rather than over all webhooks; gorm
	// has no recursion.
	err := db.Raw(`with recursive owners(owner_id) as (
			select (select owner_id from webhooks where owner_id >= 0 and deleted_at is null order by owner_id limit 1)
			union all select (select owner_id from webhooks where owner_id > owners.owner_id and deleted_at is null order by owner_id limit 1)
			from owners where owner_id is not null),
		named as (select owner_id, (select owner_name from webhooks where owner_id = owners.owner_id and deleted_at is null
			order by owner_name desc limit 1) as owner_name from owners where owner_id is not null)
		select owner_id, owner_name from named order by lower(owner_name), owner_id`).Scan(&c.owners).Error
	if err != nil {
		return nil, err
	}
	x.known.Store(c)
	return c, nil
}

// censusWithin counts the webhooks of some locations. An index has them.
func censusWithin(db *gorm.DB, within LocationSet, version int64) (*census, error) {
	c := &census{version: version}
	of := within.where(db, "location").Model(&Webhook{}).Where("deleted_at is null").Session(&gorm.Session{})
	if err := of.Count(&c.all).Error; err != nil {
		return nil, err
	}
	return c, of.Select("owner_id, max(owner_name) as owner_name").Group("owner_id").
		Order("lower(max(owner_name)), owner_id").Scan(&c.owners).Error
}
