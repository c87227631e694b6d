package simcloud

import (
	"fmt"
	"slices"
	"time"
)

// Common is what the configuration of every simulator has. Its fields mean what they mean there.
type Common struct {
	Regions             []string
	Instances, KeyPairs int
	Scale               float64
	Visible             time.Duration
	Rates               float64
	Now                 func() time.Time
}

// What the zero values mean.
const (
	defaultScale   = 0.001
	defaultVisible = 300 * time.Millisecond
)

// Defaulted returns c with its zero values replaced, its regions by these, or what is wrong with it.
func (c Common) Defaulted(regions ...string) (Common, error) {
	if len(c.Regions) == 0 {
		c.Regions = regions
	}
	c.Regions = slices.Clone(c.Regions)
	for i, region := range c.Regions {
		if region == "" || slices.Contains(c.Regions[:i], region) {
			return c, fmt.Errorf("regions %q: empty or named twice", c.Regions)
		}
	}
	if c.Scale == 0 {
		c.Scale = defaultScale
	}
	if c.Visible == 0 {
		c.Visible = defaultVisible
	}
	c.Visible = max(c.Visible, 0)
	if c.Rates == 0 {
		c.Rates = 1
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Instances < 0 || c.KeyPairs < 0 {
		return c, fmt.Errorf("%d instances, %d with key pairs: must not be negative", c.Instances, c.KeyPairs)
	}
	if c.Scale < 0 || c.Rates < 0 {
		return c, fmt.Errorf("scale %v and rates %v: must not be negative", c.Scale, c.Rates)
	}
	return c, nil
}
