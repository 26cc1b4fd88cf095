def test_x(database, make_parcel, shop):
    p = make_parcel(cod_amount=5)
    assert p.delivery.status == "readytopick"
def test_y(own_database): pass
