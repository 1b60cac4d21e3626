from train import records, train


def test_records_are_the_same_every_time():
    rows, labels = records(50)
    again, labels_again = records(50)
    assert (rows == again).all()
    assert (labels == labels_again).all()


def test_the_model_labels_nine_of_ten_unseen_records_right():
    _, accuracy = train(*records())
    assert accuracy > 0.9
