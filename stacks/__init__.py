"""From a topology to components, site by site, and to what app teams read."""
